"""What Kubernetes says of its objects, purely: keys, places, comparison, ownership, readiness, quantities, pods."""
