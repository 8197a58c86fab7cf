module bartizan

go 1.26
