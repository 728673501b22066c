# What the example guests make of an event: the text of {"text": "..."}, or of a plain JSON string, in upper case.
{
  if (match($0, /"text"[ \t]*:[ \t]*"/)) start = RSTART + RLENGTH
  else if ($0 ~ /^"/) start = 2
  else { print "{\"error\":\"the event has no text\"}"; next }
  answer = ""
  for (at = start; at <= length($0); at++) {
    letter = substr($0, at, 1)
    if (letter == "\"") break
    # The letter of an escape, as in \n, is not text.
    if (letter == "\\") answer = answer letter substr($0, ++at, 1)
    else answer = answer toupper(letter)
  }
  print "{\"text\":\"" answer "\"}"
}
