"""Measured figures as the annotator document keeps them."""


def rounded(value: float) -> float:
    """Three digits: what a measurement says, and the same on machines that differ in the last bits."""
    return float(f"{value:.3g}")
