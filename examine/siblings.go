package examine

import (
	"strings"

	"bartizan/detect/artifact/template"
)

// siblings holds what the files of one folder say of the same thing: a model's
// chat template stands in its GGUF file, its tokenizer_config.json and its
// chat_template.jinja, and which of them counts depends on the loader.
type siblings struct{ first map[string]*sibling }

// sibling is the first chat template of a folder.
type sibling struct{ path, text string }

// judge compares a subject's chat templates with the first one of its folder.
// Subjects come in the order of the walk, so that the outcome is the same for
// any number of workers; those that the user named stand alone.
func (s *siblings) judge(t *task, opt Options) {
	if t.folder == "" || len(t.facts) == 0 {
		return
	}
	if s.first == nil {
		s.first = map[string]*sibling{}
	}
	for _, fact := range t.facts {
		if strings.Contains(fact.Place.Path, "!/tokenizer.chat_template.") {
			continue // a variant for tools or retrieval, which differs by intent
		}
		first := s.first[t.folder]
		if first == nil {
			s.first[t.folder] = &sibling{fact.Place.Path, fact.Text}
			continue
		}
		if f, differs := template.Drift(fact.Place, first.path, first.text, fact.Text); differs {
			t.report.Add(f, opt.Waivers, opt.Now)
		}
	}
}
