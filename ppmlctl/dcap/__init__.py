"""Intel's DCAP quotes of SGX enclaves and TDX domains: what they say, whether it is true, and whether it is enough."""

from ppmlctl.dcap.claims import Claims, claims_of
from ppmlctl.dcap.collateral import Collateral, Validity
from ppmlctl.dcap.expectations import ExpectationError, Expectations
from ppmlctl.dcap.judgement import Judgement, Policy, judge_quote
from ppmlctl.dcap.platform import PlatformFamily, platform_of
from ppmlctl.dcap.quote import Quote, QuoteHeader, parse_quote, parse_sgx_report
from ppmlctl.dcap.refusal import QuoteError, QuoteUntrustedError, Reason
from ppmlctl.dcap.report import ReportBody, TdReport
from ppmlctl.dcap.signature_data import SignatureData, parse_signature_data
from ppmlctl.dcap.verification import QuoteVerdict, TrustRoot, read_root, verify_quote
from ppmlctl.dcap.written_forms import quote_bytes

__all__ = [
    "Claims",
    "Collateral",
    "ExpectationError",
    "Expectations",
    "Judgement",
    "PlatformFamily",
    "Policy",
    "Quote",
    "QuoteError",
    "QuoteHeader",
    "QuoteUntrustedError",
    "QuoteVerdict",
    "Reason",
    "ReportBody",
    "SignatureData",
    "TdReport",
    "TrustRoot",
    "Validity",
    "claims_of",
    "judge_quote",
    "parse_quote",
    "parse_sgx_report",
    "parse_signature_data",
    "platform_of",
    "quote_bytes",
    "read_root",
    "verify_quote",
]
