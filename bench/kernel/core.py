"""The kernel: loops over arrays of integers, with nothing in them that a compiler does not know.

States have 62 bits and nothing here needs more than 63, so that numbers of 64 bits do as well as Python's. A table
entry has four numbers: the bits of a state that a lane looks at, the lane's number plus 1 (0: the entry is free), and
where its moves begin among ``deltas``, and how many they are. ``visited`` holds numbers of states plus 1.
"""

from __future__ import annotations

from collections.abc import MutableSequence

Int = int
Ints = MutableSequence[int]
"""Of 64 bits each."""
Numbers = MutableSequence[int]
"""Of 32 bits each."""

FINISHED = 0
STOPPED_AT_UNKNOWN = 1
STOPPED_AT_FULL = 2

POSITION = 0
STATE_COUNT = 1
STEP_COUNT = 2
END_COUNT = 3
UNKNOWN_LANE = 4
OPERATION_LANE_COUNT = 5
MOVE_COUNT_MAXIMUM = 6
CONTROL_COUNT = 7


def place_of(value: Int) -> Int:
    """Where to begin to look for a number in a table: its two halves multiplied, folded and multiplied; below 2^37."""
    mixed: Int = (value & 0x7FFFFFFF) * 0x5BD1E995 + (value >> 31) * 0x2C1B3C6D
    return (((mixed ^ (mixed >> 31)) & 0x7FFFFFFF) * 0x45D9F3B5) >> 25


def entry_of(entries: Ints, lane: Int, key: Int) -> Int:
    """The place of the entry of a lane's key; of a free one, if there is none."""
    last: Int = len(entries) - 4
    place: Int = (place_of(key + lane) << 2) & last
    while entries[place + 1] != 0 and (entries[place] != key or entries[place + 1] != lane + 1):
        place = (place + 4) & last
    return place


def slot_of(visited: Numbers, states: Ints, state: Int) -> Int:
    """The place among those visited where a state's number is, or, if it was not met, belongs."""
    last: Int = len(visited) - 1
    slot: Int = place_of(state) & last
    while visited[slot] != 0 and states[visited[slot] - 1] != state:
        slot = (slot + 1) & last
    return slot


def search(
    control: Ints,
    states: Ints,
    parents: Numbers,
    visited: Numbers,
    ends: Numbers,
    masks: Ints,
    entries: Ints,
    deltas: Ints,
) -> Int:
    """Search on from where ``control`` says; why it stopped. A state that it stopped in is tried again."""
    position: Int = control[POSITION]
    state_count: Int = control[STATE_COUNT]
    step_count: Int = control[STEP_COUNT]
    end_count: Int = control[END_COUNT]
    lane_count: Int = len(masks)
    operation_lane_count: Int = control[OPERATION_LANE_COUNT]
    room: Int = len(visited) // 2 - control[MOVE_COUNT_MAXIMUM] * lane_count
    reason: Int = FINISHED
    lane: Int
    move: Int
    while position < state_count:
        if state_count > room:
            reason = STOPPED_AT_FULL
            break
        state: Int = states[position]
        steps: Int = 0
        is_end: Int = 0
        for lane in range(lane_count):
            if lane == operation_lane_count:
                is_end = 1 if steps == 0 else 0
            place: Int = entry_of(entries, lane, state & masks[lane])
            if entries[place + 1] == 0:
                control[UNKNOWN_LANE] = lane
                reason = STOPPED_AT_UNKNOWN
                break
            first: Int = entries[place + 2]
            move_count: Int = entries[place + 3]
            for move in range(first, first + move_count):
                after: Int = state + deltas[move]
                slot: Int = slot_of(visited, states, after)
                if visited[slot] == 0:
                    states[state_count] = after
                    parents[state_count] = position
                    state_count += 1
                    visited[slot] = state_count
            steps += move_count
        if reason != FINISHED:
            break
        if is_end == 1 or steps == 0:
            ends[end_count] = position
            end_count += 1
        step_count += steps
        position += 1
    control[POSITION] = position
    control[STATE_COUNT] = state_count
    control[STEP_COUNT] = step_count
    control[END_COUNT] = end_count
    return reason


def number_all(states: Ints, state_count: Int, visited: Numbers) -> Int:
    """Enter states that are all different into a table that is free; how many there are."""
    last: Int = len(visited) - 1
    number: Int
    for number in range(state_count):
        slot: Int = place_of(states[number]) & last
        while visited[slot] != 0:
            slot = (slot + 1) & last
        visited[slot] = number + 1
    return state_count


def link(
    state_count: Int,
    states: Ints,
    visited: Numbers,
    masks: Ints,
    entries: Ints,
    deltas: Ints,
    firsts: Numbers,
    reached: Numbers,
    incoming: Numbers,
) -> Int:
    """Write down which states every state leads to, by number; how many there are in all.

    Those of state n begin at ``firsts[n]`` of ``reached``. ``incoming`` is 0 before: how many lead to each state.
    """
    linked: Int = 0
    number: Int
    lane: Int
    move: Int
    for number in range(state_count):
        firsts[number] = linked
        state: Int = states[number]
        for lane in range(len(masks)):
            place: Int = entry_of(entries, lane, state & masks[lane])
            first: Int = entries[place + 2]
            for move in range(first, first + entries[place + 3]):
                after: Int = visited[slot_of(visited, states, state + deltas[move])] - 1
                reached[linked] = after
                incoming[after] += 1
                linked += 1
    firsts[state_count] = linked
    return linked


def sort(
    state_count: Int, firsts: Numbers, reached: Numbers, incoming: Numbers, order: Numbers, lengths: Numbers
) -> Int:
    """Order states so that each comes behind all that lead to it; how many there are that no cycle comes before.

    ``lengths`` are 0 before: those of the longest ways to the states.
    """
    sorted_count: Int = 0
    position: Int = 0
    number: Int
    link_number: Int
    for number in range(state_count):
        if incoming[number] == 0:
            order[sorted_count] = number
            sorted_count += 1
    while position < sorted_count:
        here: Int = order[position]
        position += 1
        for link_number in range(firsts[here], firsts[here + 1]):
            after: Int = reached[link_number]
            if lengths[after] <= lengths[here]:
                lengths[after] = lengths[here] + 1
            incoming[after] -= 1
            if incoming[after] == 0:
                order[sorted_count] = after
                sorted_count += 1
    return sorted_count


def count(
    state_count: Int, firsts: Numbers, reached: Numbers, order: Numbers, ways: Ints, modulus: Int
) -> Int:
    """Set ``ways``, all 0 before, to how many ways lead to each state from number 0, modulo a number below 2^62."""
    ways[0] = 1
    position: Int
    link_number: Int
    for position in range(state_count):
        here: Int = order[position]
        for link_number in range(firsts[here], firsts[here + 1]):
            after: Int = reached[link_number]
            total: Int = ways[after] + ways[here]
            if total >= modulus:
                total -= modulus
            ways[after] = total
    return ways[order[state_count - 1]]
