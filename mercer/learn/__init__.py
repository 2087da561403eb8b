"""Checked data in; a better encoder and reranker, with the proof that they are, out. Only the command line loads it."""
