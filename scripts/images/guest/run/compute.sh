#!/bin/sh
# Integer work in userspace: hashes 16 MiB of zeros; the answer is known, so a wrong one shows.
sum=$(dd if=/dev/zero bs=65536 count=256 2>/dev/null | sha256sum)
echo "sha256 of 16 MiB of zeros: ${sum%% *}"
[ "${sum%% *}" = 080acf35a507ac9849cfcba47dc2ad83e01b75663a516279c8b9d243b719643e ]
