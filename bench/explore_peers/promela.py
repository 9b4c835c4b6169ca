"""The model in Promela, Spin's language, written out without loops, so that every step is one transition.

Each `d_step` is one transition; values are set to 0 in the step that uses them last. A process stops in front of a
statement that is never executable: were it to end, that would be one more transition, and there would be more states.
"""

from __future__ import annotations

from bench.explore_peers.toy import rechecks

WRITER_EXTENT = """
  d_step {{ old = volume[{e}] }};
  d_step {{ slot[{e}] = !old; old = 0 }};
  table[{e}] = 1;
  volume[{e}] = 1;"""

READER_EXTENT = """
  if
  :: table[{e}] -> goto slot_{e}
  :: !table[{e}]
  fi;
  value = volume[{e}];
  if
  :: d_step {{ table[{e}]; value = 0 }}; goto slot_{e}
  :: d_step {{ !table[{e}]; assert(!value); value = 0 }}; goto next_{e}
  fi;
slot_{e}:
  assert(slot[{e}]);
next_{e}:"""

READER_EXTENT_WITHOUT_RECHECK = """
  if
  :: table[{e}] -> goto slot_{e}
  :: !table[{e}]
  fi;
  d_step {{ value = volume[{e}]; assert(!value); value = 0 }};
  goto next_{e};
slot_{e}:
  assert(slot[{e}]);
next_{e}:"""

END = "\nend: 0\n}\n"


def promela(n: int, r: int, mutant: str) -> str:
    """The whole model."""
    parts = [f"bit volume[{n}];\nbit slot[{n}];\nbit table[{n}];\n\nactive proctype writer() {{\n  bit old;"]
    parts += [WRITER_EXTENT.format(e=extent) for extent in range(n)]
    parts.append(END)
    for reader in range(r):
        parts.append(f"\nactive proctype reader_{reader}() {{\n  bit value;")
        for extent in range(n):
            again = rechecks(n, r, mutant, reader, extent)
            parts.append((READER_EXTENT if again else READER_EXTENT_WITHOUT_RECHECK).format(e=extent))
        parts.append(END)
    return "".join(parts)
