package org.apache.spark.examples;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

/** Counts the words of a file, as Spark's example of this name: `JavaWordCount FILE`. */
public final class JavaWordCount {
  private JavaWordCount() {}

  public static void main(String[] arguments) {
    if (arguments.length != 1) {
      System.err.println("Usage: JavaWordCount FILE");
      System.exit(1);
    }
    SparkSession session = SparkSession.builder().appName("JavaWordCount").getOrCreate();
    List<Tuple2<String, Integer>> counts =
        session
            .read()
            .textFile(arguments[0])
            .javaRDD()
            .flatMap(line -> Arrays.asList(line.split(" ")).iterator())
            .mapToPair(word -> new Tuple2<>(word, 1))
            .reduceByKey(Integer::sum)
            .collect();
    counts.forEach(count -> System.out.println(count._1() + ": " + count._2()));
    session.stop();
  }
}
