"""The Spark Thrift server: SQL over JDBC, for as long as it is declared. It is Spark, so it stands on that flow."""
