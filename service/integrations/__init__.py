"""The outside world, a file each: webhooks, calendars, platforms."""
