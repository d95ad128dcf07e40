"""The one place that speaks HTTP to others: requests with a deadline, a size cap, an address guard and good manners."""
