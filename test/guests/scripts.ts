/** Scripts for any Linux guest with busybox: what they write depends on nothing but the system's rules. */
export const guestScripts: Readonly<Record<string, string>> = {
  arithmetic: `
    echo $((7 * 6)) $((1 << 40)) $((-7 / 2)) $((-7 % 3)) $((0x7fffffffffffffff + 1))
    i=0; s=0; while [ $i -lt 500 ]; do s=$((s + i * i)); i=$((i + 1)); done; echo $s
    awk 'BEGIN { for (x = 1; x < 9; x++) printf "%.10f %e %d\\n", x / 7, 1 / (x * 1e9), x * 4294967296 }'
    echo '2 3 + 4 * p' | dc
    expr 17 % 5; factor 1234567890
  `,
  files: `
    mkdir -p a/b/c; echo one > a/one; echo two >> a/one; cp a/one a/b/two; mv a/b/two a/b/c/three
    ln -s one a/link; ln a/one a/hard; cat a/link a/hard a/b/c/three; readlink a/link
    stat -c '%s %h %F %a' a/one a/link a/b
    chmod 640 a/one; stat -c %a a/hard; touch -d '2001-02-03 04:05:06' a/one; stat -c '%Y' a/one
    find a | sort; rm a/one; cat a/hard; rmdir a/b 2> /dev/null; echo $?; rm -r a; ls a 2> /dev/null; echo $?
    dd if=/dev/zero of=big bs=1000 count=77 2> /dev/null; wc -c < big; truncate -s 100 big; wc -c < big
    printf 'abcdef' > seek; printf 'XY' | dd of=seek bs=1 seek=2 conv=notrunc 2> /dev/null; cat seek; echo
    umask 077; : > private; stat -c %a private; cat missing; echo $?
    tar cf t.tar seek private; tar tf t.tar; rm seek; tar xf t.tar; cat seek; echo; cmp seek private; echo $?
  `,
  pipes: `
    seq 1 20000 | sort -r | head -3; yes abc | head -100000 | md5sum; echo $?
    (echo out; echo err >&2) 2>&1 | sort; { echo a; echo b; } | while read x; do echo "<$x>"; done
    cat < /dev/null | wc -c; head -c 300000 /dev/zero | tr '\\0' x | sha256sum
    mkfifo f; (echo through the fifo > f) & cat f; wait
    echo here | tee copy | cat - copy; seq 10 | xargs -n 3 echo; : | false; echo $?; false | :; echo $?
    cat <<END | tr a-z A-Z
here document
END
  `,
  text: `
    seq 1 50 | sed -n '/7$/p; s/^1\\(.\\)$/<\\1>/p'; printf 'b 2\\na 1\\nc 3\\n' | sort -k2 -n -r | cut -d' ' -f1 | paste -s -d,
    printf 'x y\\nx z\\n' | awk '{ c[$1]++; last = $2 } END { for (k in c) print k, c[k], last }'
    printf 'one\\ntwo\\nthree\\n' > l; grep -n t l; grep -vc t l; tail -n 1 l; tac l; rev l; nl l; fold -w 2 l
    printf 'same\\nold\\n' > m; printf 'same\\nnew\\n' > n; diff m n; echo $?; uniq -c l; od -c m; hexdump -C n
    echo 'hello world' | base64 | tee e; base64 -d e; gzip -c l | gunzip | sha1sum; bzip2 -c l | bunzip2 | sha1sum
    printf '%05d|%-5s|%x|%c\\n' 42 ab 255 z; echo "\${HOME#/}" ; expr match abcdef 'abc\\(.*\\)'; seq -s + 1 5 | bc
  `,
  processes: `
    (exit 7); echo $?; sh -c 'kill -TERM $$'; echo $?; sh -c 'kill -KILL $$'; echo $?
    trap 'echo caught' USR1; kill -USR1 $$; trap 'echo leaving' EXIT
    (sleep 0.2; echo late) & (echo early); wait; echo waited
    for i in 1 2 3 4; do (for j in 1 2 3; do (echo $i$j) & done; wait) & done | sort; wait
    tree() { [ $1 -eq 0 ] && { echo leaf; return; }; (tree $(($1 - 1))) & (tree $(($1 - 1))) & wait; }; tree 3
    x=$(echo inner; exit 3); echo "$x $?"; nohup echo kept 2> /dev/null
    sh -c 'trap "" TERM; kill -TERM $$; echo survived'; sh -c 'ulimit -n 5; exec 3< /dev/null 4< /dev/null 5< /dev/null' 2> /dev/null; echo $?
    exec 5> five; echo to five >&5; exec 5>&-; cat five; A=b sh -c 'echo $A'; command -v nothing; echo $?; ./nothing; echo $?
  `,
};
