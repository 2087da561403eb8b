"""Is it still good? Log and checked data in; drift, quality over time, alarms, experiments and a decision out."""
