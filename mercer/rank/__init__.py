"""Candidates in, ordered hits with a ledger out."""
