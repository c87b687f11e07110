"""German as it is written: what Django has leaves out the comma, and the word after the time."""

DATETIME_FORMAT = r"j. F Y, H:i \U\h\r"
