"""The OCI image layouts of this machine."""

from ppmlctl.clients.oci.client import REFERENCE, ImageSummary, OciClient

__all__ = ["REFERENCE", "ImageSummary", "OciClient"]
