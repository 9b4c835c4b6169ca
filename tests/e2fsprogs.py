"""For tests that need a real ext4 file system."""

from __future__ import annotations

import pytest

from shadowshare.models.ext4 import missing_tools

needs_e2fsprogs = pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
