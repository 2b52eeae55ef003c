"""Plain answers of the API to the model. Pure: no call, no clock, no SDK. The one place where units are converted."""
