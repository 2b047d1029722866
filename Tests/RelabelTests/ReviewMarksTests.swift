import Relabel
import Testing

@Suite("The table of marks")
struct ReviewMarksTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test(
    "Keys and notes come back as they were",
    arguments: [
      "", "plain", "a\ttab", "two\nlines\r\nand more", "back\\slash \\n", "\"quoted\"", "\"",
      " blanks at both ends  ",
      "\t", "é e\u{301} \u{202E}turned", "key\tmark\tnote",
    ]
  )
  func roundTrip(note: String) throws {
    let keys = [
      "n01/a", "\"quoted\"", "ends with a blank ", "back\\t", "<script>", "e\u{301}", "é", "key",
    ]
    var marks = ReviewMarks()
    let verdicts = ReviewMarks.Verdict.allCases + [nil]
    for (number, key) in keys.enumerated() {
      marks.set(ReviewMarks.Mark(verdicts[number % 4], note: note), of: key)
    }
    let read = try ReviewMarks(parsing: marks.encoded(), file: "marks.tsv")
    for key in keys { #expect(read[key] == marks[key]) }
    #expect(read.keys == marks.keys)
    #expect(read.encoded() == marks.encoded())
  }

  @Test("The last mark counts, and none leaves no line")
  func changes() {
    var marks = ReviewMarks()
    marks.set(.init(.good), of: "a")
    marks.set(.init(.exclude, note: "n"), of: "b")
    marks.set(.init(.wrongLabel), of: "a")
    #expect(marks.keys == ["a", "b"])
    #expect(marks.count(.good) == 0 && marks.count(.wrongLabel) == 1)
    marks.set(nil, of: "a")
    marks.set(.init(nil), of: "b")
    #expect(marks.encoded() == bytes("key\tmark\tnote\n"))
  }

  @Test(
    "What says two things or nothing that is known is refused by its line",
    arguments: [
      ("a\tgood\tx\na\texclude\tx", "line 3"), ("a\tbad", "line 2"), ("../a\tgood", "line 2"),
      ("a\tgood\tx\ty", "line 2"), ("a\tgood\t\\x", "line 2"), ("a\tgood\t\u{7}", "line 2"),
    ]
  )
  func refused(lines: String, place: String) {
    let error = #expect(throws: RelabelError.self) {
      try ReviewMarks(parsing: bytes("key\tmark\tnote\n\(lines)\n"), file: "marks.tsv")
    }
    #expect(
      error?.code == .usage && error?.message.hasPrefix(place) == true,
      "\(String(describing: error))"
    )
  }

  @Test("Equal lines are one mark, and a spreadsheet's form is read")
  func lenient() throws {
    let text =
      "\u{FEFF}key\tmark\tnote\r\na\tgood\tx\r\na\tgood\tx\r\n\"b\"\texclude\t\"say \"\"no\"\"\"\r\n"
    let marks = try ReviewMarks(parsing: bytes(text), file: "marks.tsv")
    #expect(
      marks["a"] == .init(.good, note: "x") && marks["b"] == .init(.exclude, note: "say \"no\"")
    )
  }

  @Test("Exclusions come from the table or from a list of keys")
  func exclusions() throws {
    let table = try ReviewMarks(exclusions: bytes("key\tmark\na\texclude\nb\tgood\n"), file: "t")
    #expect(table.excludes("a") && !table.excludes("b"))
    let list = try ReviewMarks(exclusions: bytes("b/c\na\\t\n"), file: "l")
    #expect(list.excludes("b/c") && list.excludes("a\\t") && !list.excludes("a"))
    for text in ["", "key\tmark\tnote\na\tgood\n", "a\texclude\n"] {
      #expect(throws: RelabelError.self) { try ReviewMarks(exclusions: bytes(text), file: "f") }
    }
  }

  @Test("A file that is no table of marks is never taken for one")
  func otherFiles() {
    for text in ["a\tb\n", "\u{89}HDF", "key,mark,note\n"] {
      #expect(throws: RelabelError.self) { try ReviewMarks(parsing: bytes(text), file: "f") }
    }
  }
}
