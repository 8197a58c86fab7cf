package pickleasm

// Global writes GLOBAL: find_class(module, name), both as they are.
func (b *Builder) Global(module, name string) *Builder {
	return b.Op(GLOBAL).Text(module).Raw('\n').Text(name).Raw('\n')
}

// Inst writes INST: find_class(module, name) called with what lies above the mark.
func (b *Builder) Inst(module, name string) *Builder {
	return b.Op(INST).Text(module).Raw('\n').Text(name).Raw('\n')
}

// StackGlobal writes STACK_GLOBAL: find_class of the two texts on top of the stack.
func (b *Builder) StackGlobal() *Builder { return b.Op(STACK_GLOBAL) }

// Obj writes OBJ: the object above the mark called with what follows it.
func (b *Builder) Obj() *Builder { return b.Op(OBJ) }

// Reduce writes REDUCE: callable and argument tuple.
func (b *Builder) Reduce() *Builder { return b.Op(REDUCE) }

// Build writes BUILD: object and state.
func (b *Builder) Build() *Builder { return b.Op(BUILD) }

// NewObj writes NEWOBJ: cls.__new__(cls, *args).
func (b *Builder) NewObj() *Builder { return b.Op(NEWOBJ) }

// NewObjEx writes NEWOBJ_EX: cls.__new__(cls, *args, **kwargs).
func (b *Builder) NewObjEx() *Builder { return b.Op(NEWOBJ_EX) }

// Ext1 writes EXT1.
func (b *Builder) Ext1(code byte) *Builder { return b.Op(EXT1).Raw(code) }

// Ext2 writes EXT2.
func (b *Builder) Ext2(code uint16) *Builder { return b.fixed2(EXT2, code) }

// Ext4 writes EXT4; readers take the code as signed.
func (b *Builder) Ext4(code int32) *Builder { return b.fixed4(EXT4, uint32(code)) }

// PersID writes PERSID with the text as it is.
func (b *Builder) PersID(text string) *Builder { return b.Line(PERSID, text) }

// BinPersID writes BINPERSID: the id is the top of the stack.
func (b *Builder) BinPersID() *Builder { return b.Op(BINPERSID) }

// Name is a global as the stream names it.
type Name struct{ Module, Name string }

// Named writes STACK_GLOBAL with both texts in the given encodings.
func (b *Builder) Named(module TextForm, name TextForm, n Name) *Builder {
	return b.Str(module, n.Module).Str(name, n.Name).StackGlobal()
}

// NamedThroughMemo writes both texts, stores them in slots first and first+1, drops them, loads them again
// and resolves them: what a scanner sees that reads only the texts before STACK_GLOBAL is nothing.
func (b *Builder) NamedThroughMemo(store Store, load Load, first uint32, n Name) *Builder {
	b.BinUnicode(n.Module).StoreIn(store, first).Pop()
	b.BinUnicode(n.Name).StoreIn(store, first+1).Pop()
	return b.LoadFrom(load, first).LoadFrom(load, first+1).StackGlobal()
}

// Call writes a GLOBAL, the arguments as Value writes them, and REDUCE.
func (b *Builder) Call(module, name string, args ...any) *Builder {
	return b.Global(module, name).Args(args...).Reduce()
}

// Args writes the arguments as one tuple.
func (b *Builder) Args(args ...any) *Builder {
	b.Mark()
	for _, a := range args {
		b.Value(a)
	}
	return b.Tuple()
}

// New writes GLOBAL, the arguments and NEWOBJ.
func (b *Builder) New(module, name string, args ...any) *Builder {
	return b.Global(module, name).Args(args...).NewObj()
}

// CallByInst writes the call as INST does.
func (b *Builder) CallByInst(module, name string, args ...any) *Builder {
	b.Mark()
	for _, a := range args {
		b.Value(a)
	}
	return b.Inst(module, name)
}

// CallByObj writes the call as OBJ does.
func (b *Builder) CallByObj(module, name string, args ...any) *Builder {
	b.Mark().Global(module, name)
	for _, a := range args {
		b.Value(a)
	}
	return b.Obj()
}
