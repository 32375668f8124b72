"""What can be declared under `workloads`: one folder for each, which nothing outside of it names but the registry."""
