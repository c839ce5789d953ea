"""Trestle on AWS: what `trestle-aws` does, and the evaluator of templates that it and the tests share."""
