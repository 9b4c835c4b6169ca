#!/usr/bin/env bash
# Record what sqlite3 does to a block device: an ext4 file system in a file, mounted through a loop device, and the block
# tracer of the Linux kernel listening at that device. usage, as root: record.sh OUTPUT
# Needs e2fsprogs, sqlite3, and a kernel with CONFIG_BLK_DEV_IO_TRACE.
set -euo pipefail
output=$(realpath -m "$1")
folder=$(mktemp -d)
tracing=/sys/kernel/tracing
mountpoint -q $tracing || mount -t tracefs nodev $tracing
cleanup() {
    echo nop >$tracing/current_tracer
    [ -z "${loop:-}" ] || { umount "$folder/mounted" 2>/dev/null || true; losetup -d "$loop"; }
    rm -rf "$folder"
}
trap cleanup EXIT

truncate -s 64M "$folder/disk.img"
mke2fs -q -t ext4 -b 4096 -E lazy_itable_init=0,lazy_journal_init=0 "$folder/disk.img"
loop=$(losetup --find --show --direct-io=on "$folder/disk.img")
mkdir "$folder/mounted"
mount "$loop" "$folder/mounted"

echo 1 >"/sys/block/${loop#/dev/}/trace/enable"
echo 16384 >$tracing/buffer_size_kb
echo blk >$tracing/current_tracer
echo blk_classic >$tracing/trace_options
: >$tracing/trace

# The program: bank accounts, changed in one durable transaction after the other, then read.
sqlite3 "$folder/mounted/bank.db" >/dev/null <<'SQL'
PRAGMA page_size = 4096;
PRAGMA journal_mode = DELETE;
PRAGMA synchronous = FULL;
CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT, amount INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO account SELECT i, printf('owner %d of an account', i), 1000 FROM n;
SQL
for transaction in $(seq 1 40); do
    sqlite3 "$folder/mounted/bank.db" "PRAGMA synchronous = FULL; UPDATE account SET amount = amount - 1
        WHERE id = $((transaction * 4099 % 20000 + 1)) OR id = $((transaction * 7919 % 20000 + 1));"
done
sync -f "$folder/mounted"
echo 3 >/proc/sys/vm/drop_caches
sqlite3 "$folder/mounted/bank.db" "SELECT sum(amount), max(owner) FROM account;" >/dev/null

echo 0 >"/sys/block/${loop#/dev/}/trace/enable"
# blkparse also numbers the lines; the kernel's text does not. Times start at 0.
grep -E '^ *[0-9]+,[0-9]+ ' $tracing/trace | awk '
    $5 ~ /^[QC]$/ {
      split($3, time, "."); if (!count++) first = time[1]
      printf "%s %4d %8d %5d.%s %5d", $1, $2, count, time[1] - first, time[2], $4
      for (field = 5; field <= NF; field++) printf " %s", $field
      printf "\n" }' >"$output"
wc -l "$output"
