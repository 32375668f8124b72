"""What a quote says, in the names and forms that people and programs read."""

from __future__ import annotations

from ppmlctl.dcap.quote import Quote, tee_name
from ppmlctl.dcap.report import ReportBody, TdReport

Claims = dict[str, str | int | bool]


def claims_of(quote: Quote) -> Claims:
    """Measurements as lower-case hexadecimal, numbers as numbers. Nothing of it is verified here."""
    head: Claims = {"tee": tee_name(quote.header).lower(), "quote_version": quote.header.version}
    body = quote.body
    return head | (_of_enclave(body) if isinstance(body, ReportBody) else _of_domain(body))


def _of_enclave(body: ReportBody) -> Claims:
    return {
        "mr_enclave": body.mr_enclave.hex(),
        "mr_signer": body.mr_signer.hex(),
        "isv_prod_id": body.isv_prod_id,
        "isv_svn": body.isv_svn,
        "debug": body.debug,
        "report_data": body.report_data.hex(),
    }


def _of_domain(body: TdReport) -> Claims:
    """Every field of the report; those that a TDX 1.0 report lacks are left out."""
    values = {name: getattr(body, name) for name in body.__dataclass_fields__}
    measured = {name: value.hex() for name, value in values.items() if value is not None}
    return {"mr_td": measured.pop("mr_td"), **measured, "debug": body.debug}
