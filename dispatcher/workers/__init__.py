"""Workers on other machines: solves and what-ifs as tasks of Celery's, over a broker of their own."""
