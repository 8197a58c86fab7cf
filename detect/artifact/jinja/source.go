package jinja

// named classes a variable that the template does not set, by what chat
// templates are given under that name.
func named(name string) *value {
	switch name {
	case "messages", "conversation", "conversations", "history", "dialog", "dialogue", "chat", "chat_history", "turns", "loop_messages":
		return &value{from: fromMessages, size: 1}
	case "message", "msg", "turn":
		return &value{from: fromMessage, size: 1}
	case "content", "text", "prompt", "query", "question", "user_input", "user_message", "user_prompt", "instruction", "input",
		"system", "system_message", "system_prompt", "context", "last_message", "user_query":
		return &value{from: fromContent, dep: onContent, size: 1}
	case "tools", "tool", "functions", "documents":
		return &value{from: fromTools, dep: onTools, size: 1}
	case "role", "strftime_now":
		return &value{from: fromMeta, size: 1}
	case "date_string", "today", "current_date", "date", "now", "datetime", "time", "timestamp":
		return &value{from: fromDate, dep: onDate, size: 1}
	}
	return &value{from: fromOther, size: 1}
}

// contentNames are the attributes of a message that hold what somebody wrote.
var contentNames = map[string]bool{
	"content": true, "text": true, "value": true, "reasoning_content": true, "reasoning": true, "thinking": true, "thought": true,
	"thoughts": true, "body": true, "prompt": true, "query": true, "message": true, "output": true, "input": true, "response": true,
	"instruction": true, "question": true, "answer": true, "utterance": true,
}

// member is an attribute or item of an unknown value.
func member(v *value, name string) *value {
	out := opaque(v.from, v)
	switch v.from {
	case fromMessage:
		switch {
		case contentNames[name]:
			out.from, out.dep = fromContent, out.dep|onContent
		case name == "tool_calls" || name == "tools":
			out.from, out.dep = fromTools, out.dep|onTools
		default:
			out.from = fromMeta
		}
	case fromContent:
		if name == "type" || name == "role" || name == "id" || name == "name" {
			out.from, out.dep = fromMeta, out.dep&^onContent
		}
	}
	if v.kind == vText && out.dep&onContent == 0 {
		out.from = fromOther
	}
	return out
}

// element is what iterating over a value gives.
func element(v *value) *value {
	if v.kind == vUnion {
		return each(v, element)
	}
	switch {
	case (v.kind == vList) && len(v.items) > 0:
		return union(v.items...).with(v.dep, v.key)
	case v.kind == vDict && len(v.items) > 1:
		var ks []*value
		for i := 0; i < len(v.items); i += 2 {
			ks = append(ks, v.items[i])
		}
		return union(ks...).with(v.dep, v.key)
	case v.from == fromMessages:
		out := opaque(fromMessage, v)
		out.dep &^= onIndex
		return out
	}
	return opaque(v.from, v)
}
