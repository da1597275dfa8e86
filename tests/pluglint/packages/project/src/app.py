print("the program of the project")
