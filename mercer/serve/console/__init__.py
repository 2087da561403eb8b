"""An owner with an admin key in; pages that show a shop's data, versions, rules and keys, and change them, out."""
