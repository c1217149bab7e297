"""The providers as the SDK matrix meets them: one module for each wire format, one model behind all of them."""
