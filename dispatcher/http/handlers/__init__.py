"""What each route does: take the call apart, ask the service, answer. No rule of the business lives here."""
