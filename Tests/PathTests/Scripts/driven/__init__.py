"""The official SDKs as the matrix drives them: one module for each, the same few verbs for all."""
