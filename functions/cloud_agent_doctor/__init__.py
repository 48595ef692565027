"""The path audit: walks from the browser to the dev server and from the issue to the workflow, hop by hop.

`cloud-agent doctor` and the scheduled DoctorFunction call the same `examine`.
"""

from __future__ import annotations

from cloud_agent_doctor.engine.engine import examine

__all__ = ["examine"]
