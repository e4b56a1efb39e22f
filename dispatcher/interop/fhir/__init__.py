"""FHIR R4: hospitals' integration engines ask for rides and equipment and follow them; docs/fhir.md.

`service_request` and `device_request` map what is asked to the requests there are, and back; `task` tells
what became of them; `transaction` makes an episode. `requests`, `tasks`, `transactions` ask the service; the
others do no I/O.
"""
