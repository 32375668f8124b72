"""Spark applications, as BigDL's images run them: section, rules, submission, pods, what logs mean, tasks."""
