"""What if: today's settings and others over one day or one moment, compared request by request."""
