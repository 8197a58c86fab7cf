package container

import "bartizan/finding"

// Rules gives the catalogue of what containers find.
func Rules() []finding.Rule { return append([]finding.Rule(nil), rules...) }

// Indices into rules; the order is the catalogue's.
const (
	ruleTraversal = iota
	ruleLink
	ruleBackslash
	ruleControl
	ruleDuplicate
	ruleMismatch
	ruleHidden
	rulePrefix
	ruleSuffix
	ruleAmbiguous
	ruleOverlap
	ruleChecksum
	ruleBomb
)

func rule(i int) *finding.Rule { return &rules[i] }

// rules is read only.
var rules = []finding.Rule{
	ruleTraversal: {
		ID: "archive/path-traversal", Title: "Member name leaves the place of extraction",
		Help: "A member's name climbs out of the folder it is unpacked to (`..`), is absolute or names a drive. An extractor " +
			"that does not refuse it writes wherever the archive says. Judged on the stored name under both separators, for " +
			"every name that some reader uses. A `..` that stays within the archive is noted only.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-22", "CVE-2007-4559", "CVE-2018-1002200", "AML.T0011.000"},
		Remediation: "Do not unpack the archive; get one whose names stay within it.",
		Evidence:    map[string]string{"member": "the name as stored", "how": "parent, absolute or drive"},
	},
	ruleLink: {
		ID: "archive/link-escape", Title: "Link leads out of the archive",
		Help: "A symlink or hardlink resolves to a place outside of the folder it is unpacked to, or a later member is written " +
			"through one. Reading or writing under its name then reaches files of the host. Links are resolved as an extractor " +
			"would, through earlier links. Absolute symlinks to installed programs and libraries, as virtual environments " +
			"have them, are noted only while nothing is written through them.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-59", "CWE-22", "CVE-2025-4517", "AML.T0011.000"},
		Remediation: "Do not unpack the archive; get one without links out of itself.",
		Evidence:    map[string]string{"member": "the name as stored", "target": "where the link points", "through": "the link that a name passes"},
	},
	ruleBackslash: {
		ID: "archive/backslash-name", Title: "Member name has backslashes",
		Help: "A name uses the backslash, which is a separator on Windows and an ordinary character elsewhere: readers put the " +
			"member in different places. Old Windows tools write such names without intent.",
		Severity: finding.Low, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-41"},
		Remediation: "Repack the archive with forward slashes.",
		Evidence:    map[string]string{"member": "the name as stored"},
	},
	ruleControl: {
		ID: "archive/control-name", Title: "Member name has control characters",
		Help: "A name holds a NUL or another control character, or one that reorders text on a screen. Some readers cut names " +
			"at a NUL, so that the member gets another name and kind there than here.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-158", "CWE-116"},
		Remediation: "Repack the archive with plain names.",
		Evidence:    map[string]string{"member": "the name, escaped"},
	},
	ruleDuplicate: {
		ID: "archive/duplicate-name", Title: "Two members of one name with different content",
		Help: "A name stands twice with different content. Which one a loader gets differs from reader to reader (the first, the " +
			"last, or both). All are examined. Appending to a tar does the same without intent, there the last one counts.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-436"},
		Remediation: "Repack the archive with one member a name.",
		Evidence:    map[string]string{"member": "the name", "first": "offset of the first header", "second": "offset of the second"},
	},
	ruleMismatch: {
		ID: "archive/header-mismatch", Title: "Two headers of one member disagree",
		Help: "The two descriptions of a member (central and local header of a zip, plain and extended header of a tar) differ in " +
			"name, size, method, flags or checksum, so that readers disagree on what it is. All readings are examined. High " +
			"where both readings are whole: then the archive shows different content to different loaders.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-436", "CVE-2025-10156", "CVE-2025-62518", "AML.T0015"},
		Remediation: "Repack the archive with an ordinary tool.",
		Evidence:    map[string]string{"member": "the name", "fields": "what differs", "central": "one reading", "local": "the other"},
	},
	ruleHidden: {
		ID: "archive/hidden-member", Title: "Member that the directory does not list",
		Help: "A member's header lies where readers of local headers find it (streaming readers, recovery tools), but no directory " +
			"lists it. It is examined. Left-overs of edited archives look the same.",
		Severity: finding.Medium, Confidence: finding.ConfidenceMedium,
		References:  []string{"CWE-436", "AML.T0015"},
		Remediation: "Repack the archive so that it holds what is listed and nothing else.",
		Evidence:    map[string]string{"member": "the name in the hidden header"},
	},
	rulePrefix: {
		ID: "archive/prefix-data", Title: "Data before the first member or between members",
		Help: "The container holds bytes that belong to no member. Self-extracting archives and zip applications have such a " +
			"prefix; so have files that are two formats at once (polyglots). The bytes are examined by themselves. Padding and " +
			"short script lines are noted only.",
		Severity: finding.Medium, Confidence: finding.ConfidenceMedium,
		References:  []string{"CWE-436", "AML.T0015"},
		Remediation: "Find out what the bytes are, or repack the archive without them.",
		Evidence:    map[string]string{"bytes": "how many", "where": "prefix or gap"},
	},
	ruleSuffix: {
		ID: "archive/suffix-data", Title: "Data behind the end",
		Help: "The container is followed by bytes that belong to nothing in it. Readers ignore them, or fail; files that are two " +
			"formats at once (polyglots) are made so. The bytes are examined by themselves. Padding is noted only.",
		Severity: finding.Medium, Confidence: finding.ConfidenceMedium,
		References:  []string{"CWE-436", "AML.T0015"},
		Remediation: "Find out what the bytes are, or cut them off.",
		Evidence:    map[string]string{"bytes": "how many"},
	},
	ruleAmbiguous: {
		ID: "archive/ambiguous-directory", Title: "Archive has several directories",
		Help: "The end records lead to more than one central directory, or to one whose count or size is not as declared: which " +
			"members there are depends on the reader. All are examined. High where the directories give one name to different " +
			"content.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-436", "CVE-2025-8291", "AML.T0015"},
		Remediation: "Repack the archive with an ordinary tool.",
		Evidence:    map[string]string{"directories": "how many", "declared": "members by the end record", "found": "members there are"},
	},
	ruleOverlap: {
		ID: "archive/overlapping-members", Title: "Members share bytes",
		Help: "The data of one member lies within another's. No tool writes that; it is how a small archive unpacks to a huge one, " +
			"or how one member is shown under two readings.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-409", "CVE-2019-9674", "CVE-2024-0450"},
		Remediation: "Do not unpack the archive.",
		Evidence:    map[string]string{"pairs": "how many members overlap the one before"},
	},
	ruleChecksum: {
		ID: "archive/checksum-mismatch", Title: "Content does not match its checksum",
		Help: "A member unpacks to bytes whose checksum or length is not the declared one. Strict readers refuse it, others load " +
			"it: scanners that refuse are blinded that way. The content is examined all the same. Damage in transit looks the same.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-354", "CVE-2025-10156", "AML.T0015"},
		Remediation: "Get the file again from its source; compare its digest.",
		Evidence:    map[string]string{"member": "the name", "declared": "checksum and size by the header", "computed": "of the content"},
	},
	ruleBomb: {
		ID: "archive/bomb", Title: "Unpacks to far more than it is",
		Help: "What the archive declares or unpacks to is more than 64 MiB and 32 times the file on top, and at least 100 times " +
			"what is stored: a loader that unpacks it runs out of memory or disk. What was unpacked until then is examined.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-409", "CVE-2019-9674", "AML.T0029"},
		Remediation: "Do not unpack the file.",
		Evidence:    map[string]string{"member": "the name", "packed": "bytes stored", "unpacked": "bytes declared or reached", "ratio": "how many times"},
	},
}
