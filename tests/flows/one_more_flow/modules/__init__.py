"""Modules of this flow."""
