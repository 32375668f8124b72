"""What BigDL's Remote Attestation Service knows: accounts, policies as it compares them, and its verdicts. Pure."""

from ppmlctl.attestation.account import Account
from ppmlctl.attestation.policy import Policy, PolicyType, compared
from ppmlctl.attestation.verdict import Verdict

__all__ = ["Account", "Policy", "PolicyType", "Verdict", "compared"]
