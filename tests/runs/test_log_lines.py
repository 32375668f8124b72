"""The lines of a log that people see where a run failed."""

from __future__ import annotations

from ppmlctl.runs.log_lines import telling_lines


def test_people_see_the_lines_of_trouble_and_the_last_ones_without_stack_frames() -> None:
    log = "\n".join(
        [
            "INFO one",
            "WARN DependencyUtils: Local jar /nowhere.jar does not exist, skipping.",
            "Error: Failed to load class org.example.Pi.",
            "\tat org.apache.spark.deploy.SparkSubmit",
            *(f"INFO {number}" for number in range(6)),
        ]
    )
    assert telling_lines(log) == [
        "WARN DependencyUtils: Local jar /nowhere.jar does not exist, skipping.",
        "Error: Failed to load class org.example.Pi.",
        *(f"INFO {number}" for number in range(6)),
    ]
