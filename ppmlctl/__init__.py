"""One declarative file for a whole trusted-analytics environment on Intel SGX and TDX."""
