module countersign/peers/drive

go 1.22
