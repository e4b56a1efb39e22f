"""The console: pages that people use, and what only they need. The data is the API's, by the same roles."""
