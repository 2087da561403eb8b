"""What just happened? Impressions and actions go in; a durable log and the shopper's live profile come out."""
