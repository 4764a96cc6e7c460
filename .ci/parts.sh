# Sourced by the scripts beside it: runs their parts one after another, and counts.

scratch=$(mktemp -d)
# Tests run commands as another user, who must get to what is built in it.
chmod 711 "$scratch"
trap 'rm -rf "$scratch"' EXIT
total=0
passed=0
table=
notes=
failures=

# part NAME COMMAND…: runs the command and adds the totals at the end of its output to the counts. A command that fails
# with no failed test counts as one.
part() {
  local name=$1 start=$SECONDS status=0 t p line
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$scratch/log" || status=$?
  t=$(sed 's/\x1b\[[0-9;]*m//g' "$scratch/log" | awk '/^ *Total:/ { n = $2 } END { print n + 0 }')
  p=$(sed 's/\x1b\[[0-9;]*m//g' "$scratch/log" | awk '/^ *Passed:/ { n = $2 } END { print n + 0 }')
  if [ "$status" -ne 0 ] && [ "$t" -eq "$p" ]; then t=$((t + 1)); fi
  total=$((total + t))
  passed=$((passed + p))
  table+=$(printf '%6.1f min  %s' "$(awk "BEGIN { print ($SECONDS - $start) / 60 }")" "$name")
  [ "$t" -eq 0 ] || table+=" ($p / $t)"
  if [ "$status" -ne 0 ]; then
    table+=', FAILED'
    failures+=$(printf '\n== %s\n' "$name" && failed)$'\n'
  fi
  while IFS= read -r line; do note "$line"; done < <(sed -n 's/^note: //p' "$scratch/log")
  table+=$'\n'
}

# What the log of a part says of its failures: the tests that its last summary names, else what it marks, else its end.
failed() {
  local lines
  lines=$(sed 's/\x1b\[[0-9;]*m//g' "$scratch/log" | awk '
    /^Failed tests:/ { named = ""; inside = 1; next }
    inside && /^ *$/ { inside = 0 }
    inside { named = named $0 "\n" }
    /^ *✘/ { marked = marked $0 "\n" }
    !/^ *$/ && !/^npm (error|notice)/ { end = end $0 "\n" }
    END {
      if (named != "") printf "%s", named
      else if (marked != "") printf "%s", marked
      else {
        count = split(end, all, "\n") - 1
        for (i = count > 6 ? count - 5 : 1; i <= count; i++) print all[i]
      }
    }' | cut -c 1-400)
  head -n 12 <<< "$lines"
  [ "$(wc -l <<< "$lines")" -le 12 ] || echo "  … and $(($(wc -l <<< "$lines") - 12)) lines more"
}

# note TEXT: a line for the end.
note() {
  notes+="$1"$'\n'
}

# Prints the minutes of each part, what failed, and the counts; the exit code says whether all is well.
finish() {
  printf '\n%s%6.1f min  in all\n%s' "$table" "$(awk "BEGIN { print $SECONDS / 60 }")" "$notes"
  [ -z "$failures" ] || echo "$failures"
  echo "$passed passed, $((total - passed)) failed"
  [ "$passed" -eq "$total" ]
}
