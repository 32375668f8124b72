package org.apache.spark.examples;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Computes Pi by random points, as Spark's example of this name: `SparkPi [slices]`. */
public final class SparkPi {
  private static final int POINTS_PER_SLICE = 100_000;

  private SparkPi() {}

  public static void main(String[] arguments) {
    int slices = arguments.length == 1 ? Integer.parseInt(arguments[0]) : 2;
    SparkSession session = SparkSession.builder().appName("Spark Pi").getOrCreate();
    List<Integer> seeds = IntStream.range(0, slices).boxed().collect(Collectors.toList());
    long inside =
        new JavaSparkContext(session.sparkContext())
            .parallelize(seeds, slices)
            .map(seed -> pointsInCircle(seed))
            .reduce(Long::sum);
    System.out.println("Pi is roughly " + 4.0 * inside / ((long) slices * POINTS_PER_SLICE));
    session.stop();
  }

  private static long pointsInCircle(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return IntStream.range(0, POINTS_PER_SLICE)
        .filter(point -> Math.hypot(random.nextDouble(), random.nextDouble()) <= 1)
        .count();
  }
}
