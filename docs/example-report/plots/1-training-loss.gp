# gnuplot 1-training-loss.gp
reset
set terminal pngcairo size 1200,900 font 'sans,18' noenhanced
set output '1-training-loss.png'
set title 'training loss' noenhanced
set xlabel 'epoch'
set ylabel 'loss'
set yrange [0:0.931011]
set offsets graph 0.03, graph 0.03, 0, 0
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
set key outside top center horizontal
plot '1-training-loss.dat' index 0 using 1:3:4 with filledcurves lc rgb '#3b4252' fs transparent solid 0.12 notitle, \
    '1-training-loss.dat' index 0 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#3b4252' title 'bp', \
    '1-training-loss.dat' index 1 using 1:3:4 with filledcurves lc rgb '#0072b2' fs transparent solid 0.12 notitle, \
    '1-training-loss.dat' index 1 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#0072b2' title 'usf', \
    '1-training-loss.dat' index 2 using 1:3:4 with filledcurves lc rgb '#d55e00' fs transparent solid 0.12 notitle, \
    '1-training-loss.dat' index 2 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#d55e00' title 'frsf', \
    '1-training-loss.dat' index 3 using 1:3:4 with filledcurves lc rgb '#009e73' fs transparent solid 0.12 notitle, \
    '1-training-loss.dat' index 3 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#009e73' title 'brsf', \
    '1-training-loss.dat' index 4 using 1:3:4 with filledcurves lc rgb '#b5558f' fs transparent solid 0.12 notitle, \
    '1-training-loss.dat' index 4 using 1:2 with linespoints pt 7 ps 0.8 lw 2 dt 1 lc rgb '#b5558f' title 'fa'
