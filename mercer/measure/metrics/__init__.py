"""One metric a file: a formula over `Judged` matrices in, found by its name in `mercer.measure.metric.parse`."""
