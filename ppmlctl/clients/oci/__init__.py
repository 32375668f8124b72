"""The OCI image layouts of this machine."""

from ppmlctl.clients.oci.client import ENVIRONMENT, INPUTS, REFERENCE, TASK, ImageSummary, OciClient

__all__ = ["ENVIRONMENT", "INPUTS", "REFERENCE", "TASK", "ImageSummary", "OciClient"]
