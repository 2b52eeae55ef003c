"""Rows of text to the model. Pure: no call, no clock, no SDK. The one place where units are converted."""
