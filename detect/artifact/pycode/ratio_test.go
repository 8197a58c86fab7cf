package pycode
func init() { RATIO = true }
