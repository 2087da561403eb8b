"""Is it better? Rankings and truth go in; metrics, intervals, tests and boards come out."""
