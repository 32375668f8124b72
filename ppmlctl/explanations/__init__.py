"""What the messages of this stack mean: one table of causes and remedies, each with its source."""

from ppmlctl.explanations.explanation import Explanation
from ppmlctl.explanations.own_codes import nearest_codes
from ppmlctl.explanations.table import TABLE, answer_of_ehsm, explained, meanings, nearest

__all__ = ["TABLE", "Explanation", "answer_of_ehsm", "explained", "meanings", "nearest", "nearest_codes"]
