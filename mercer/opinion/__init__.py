"""What people say of a shop in; what it is about, whether it is good or bad, and what is rising, out."""
